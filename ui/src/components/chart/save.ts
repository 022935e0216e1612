// A chart as a file: its values as CSV, or its picture as PNG.

import type { ChartLine } from "./options";

/** The values, a row for each time, in RFC 3339. */
export function csvOf(times: readonly number[], lines: readonly ChartLine[]): string {
  const head = ["time", ...lines.map(({ name }, place) => name ?? `value ${place + 1}`)].map(cell).join(",");
  const rows = times.map((time, place) =>
    [new Date(time * 1000).toISOString(), ...lines.map(({ values }) => values[place] ?? "")].join(","),
  );
  return `${[head, ...rows].join("\r\n")}\r\n`;
}

/** A cell as RFC 4180 wants it. What a spreadsheet would take for a formula is made a text. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Gives the browser a file to keep. */
export function saveAs(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveCsv(title: string, times: readonly number[], lines: readonly ChartLine[]): void {
  saveAs(`${fileName(title)}.csv`, new Blob([csvOf(times, lines)], { type: "text/csv" }));
}

/** The picture as it stands in `holder`, on the colour of the page, under its title. */
export function savePng(title: string, holder: Element): void {
  const drawn = holder.querySelector("canvas");
  if (!drawn) return;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const head = 28 * devicePixelRatio;
  const whole = document.createElement("canvas");
  [whole.width, whole.height] = [drawn.width, drawn.height + head];
  const pen = whole.getContext("2d");
  if (!pen) return;
  pen.fillStyle = colour("--surface");
  pen.fillRect(0, 0, whole.width, whole.height);
  pen.fillStyle = colour("--ink");
  pen.font = `600 ${13 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
  pen.fillText(title, 8 * devicePixelRatio, 19 * devicePixelRatio);
  pen.drawImage(drawn, 0, head);
  whole.toBlob((blob) => blob && saveAs(`${fileName(title)}.png`, blob));
}

function fileName(title: string): string {
  return (
    title
      .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
      .replaceAll(/^-|-$/g, "")
      .toLowerCase() || "chart"
  );
}
