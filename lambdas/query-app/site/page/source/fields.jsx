// A labeled field with its hint and its problem, and moving the focus to the first field with a problem.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** `control` is `(attributes) => element`; without it, an input. */
export function Field({ id, label, hint, problem, control, optional, ...attributes }) {
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;
  const all = { id, "aria-describedby": described, "aria-invalid": problem ? "true" : undefined, ...attributes };
  return (
    <div class={problem ? "field has-problem" : "field"}>
      <label for={id}>{label}{optional && <span class="optional"> (optional)</span>}</label>
      {control ? control(all) : <input {...all} />}
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {problem && <p class="problem" id={`${id}-problem`}>{problem}</p>}
    </div>
  );
}

export function Password(attributes) {
  const [isShown, show] = useState(false);
  const control = (all) => (
    <div class="password">
      <input {...all} type={isShown ? "text" : "password"} spellcheck={false} autocapitalize="none" />
      <button type="button" class="quiet" aria-controls={all.id} onClick={() => show(!isShown)}>
        {isShown ? "Hide" : "Show"}<span class="unseen"> password</span>
      </button>
    </div>
  );
  return <Field {...attributes} control={control} />;
}

/** Moves the focus to the first field of the form that has a problem, each time `problems` changes. */
export function useFocusOnProblem(problems) {
  const form = useRef(null);
  useLayoutEffect(() => {
    form.current?.querySelector("[aria-invalid=true]")?.focus();
  }, [problems]);
  return form;
}
