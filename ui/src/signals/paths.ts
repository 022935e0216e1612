// Addresses of what signals lead to.

export function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}

export function documentPath(id: string): string {
  return `/documents/${encodeURIComponent(id)}`;
}

export function tracePath(id: string): string {
  return `/traces/${encodeURIComponent(id)}`;
}
