// By which fields lines are counted.

/** The most that the server counts by at once. */
export const MOST_FIELDS = 16;

export const FIELDS = [
  "level",
  "service",
  "host",
  "logger",
  "job_id",
  "stage",
  "tenant",
  "http.response.status_code",
  "exception.type",
  "category",
] as const;

/** How many more an address may name. */
export const FIELD_LIMIT = MOST_FIELDS - FIELDS.length;
