export function TracesPage() {
  return <h1>x</h1>;
}
