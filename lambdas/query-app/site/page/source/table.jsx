// A result as a table: sorted by any column, a hundred rows at a time.

import { useMemo, useRef, useState } from "preact/hooks";

import { heading, isGrouped, isNumeric, readable, sorted } from "./rows.js";

const ROWS_SHOWN = 100;

export function Table({ columns, rows, title }) {
  const [order, setOrder] = useState(null);
  const [page, setPage] = useState(0);
  const top = useRef(null);
  const inOrder = useMemo(
    () => (order ? sorted(rows, order.column, columns[order.column].type, order.descending) : rows),
    [rows, columns, order],
  );
  const grouped = useMemo(() => columns.map((column, index) => isGrouped(rows, index, column.type)), [rows, columns]);
  const pages = Math.max(1, Math.ceil(rows.length / ROWS_SHOWN));
  const at = Math.min(page, pages - 1);
  const shown = inOrder.slice(at * ROWS_SHOWN, (at + 1) * ROWS_SHOWN);

  // First ascending, then descending, then in the query's own order.
  function sortBy(column) {
    const isSame = order?.column === column;
    setOrder(!isSame ? { column, descending: false } : order.descending ? null : { column, descending: true });
    setPage(0);
  }

  function turn(to) {
    setPage(to);
    top.current.scrollTop = 0;
  }

  return (
    <>
      <div class="table" tabIndex={0} role="region" aria-label={`${title}: table`} ref={top}>
        <table>
          <caption class="unseen">{title}, {rows.length} rows</caption>
          <thead>
            <tr>
              {columns.map((column, index) => {
                const direction = order?.column !== index ? "none" : order.descending ? "descending" : "ascending";
                return (
                  <th scope="col" aria-sort={direction} class={isNumeric(column.type) ? "is-number" : undefined} key={index}>
                    <button type="button" onClick={() => sortBy(index)}>
                      <span>{heading(column)}</span><span class="arrow" aria-hidden="true" />
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, number) => (
              <tr key={at * ROWS_SHOWN + number}>
                {row.map((cell, index) => <Cell value={cell} type={columns[index]?.type} grouped={grouped[index]} key={index} />)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {pages > 1 && <Pager at={at} pages={pages} rows={rows.length} turn={turn} />}
    </>
  );
}

function Cell({ value, type, grouped }) {
  if (value === null) return <td class="is-null"><span aria-label="no value">–</span></td>;
  if (type === "text") return <td class="is-text"><div>{readable(value, type)}</div></td>;
  return <td class={isNumeric(type) ? "is-number" : undefined}>{readable(value, type, { grouped })}</td>;
}

function Pager({ at, pages, rows, turn }) {
  const first = at * ROWS_SHOWN + 1;
  const last = Math.min(rows, (at + 1) * ROWS_SHOWN);
  const step = (by) => () => at + by >= 0 && at + by < pages && turn(at + by);
  return (
    <nav class="pager" aria-label="Pages of the table">
      <button type="button" aria-disabled={at === 0} onClick={step(-1)}>Previous</button>
      <p role="status">Rows {first.toLocaleString()} to {last.toLocaleString()} of {rows.toLocaleString()}</p>
      <button type="button" aria-disabled={at === pages - 1} onClick={step(1)}>Next</button>
    </nav>
  );
}
