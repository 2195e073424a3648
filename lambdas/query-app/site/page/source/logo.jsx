export function Logo() {
  return <svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><path d="M7 21l6-6 4.5 3.5L25 10" /></svg>;
}
