interface Props {
  readonly label: string;
  readonly value: string | undefined;
  readonly values: readonly string[];
  /** An empty text for any. */
  readonly onChange: (value: string) => void;
}

/** Chooses one of some values, or any. A value that is not among them is there all the same: the address has it. */
export function FilterSelect({ label, value = "", values, onChange }: Props) {
  const all = value === "" || values.includes(value) ? values : [value, ...values];
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      className="h-8 max-w-48 rounded-md border border-line-strong bg-surface px-2"
    >
      <option value="">{label}: any</option>
      {all.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  );
}
