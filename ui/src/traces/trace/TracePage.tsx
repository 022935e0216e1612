export function TracePage() {
  return <h1>x</h1>;
}
