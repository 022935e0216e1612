import { type InputHTMLAttributes, type ReactNode, useId } from "react";

const BOX = "h-8 min-w-0 rounded-md border border-line-strong bg-surface px-2.5";

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly label: string;
  /** A word more about what is wanted. */
  readonly hint?: ReactNode;
}

/** A line of text to fill in. */
export function Field({ label, hint, className = "", ...input }: FieldProps) {
  const id = useId();
  return (
    <div className={`grid content-start gap-1 ${className}`}>
      <label htmlFor={id} className="text-muted text-xs">
        {label}
      </label>
      <input id={id} className={BOX} {...(hint ? { "aria-describedby": `${id}-hint` } : {})} {...input} />
      {hint && (
        <p id={`${id}-hint`} className="text-muted text-xs">
          {hint}
        </p>
      )}
    </div>
  );
}

interface PickProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly text: string }[];
  readonly onChange: (value: T) => void;
}

/** One of several choices, where there is no room for all of them side by side. */
export function Pick<T extends string>({ label, value, options, onChange }: PickProps<T>) {
  const id = useId();
  const choose = (text: string) => {
    const option = options.find((option) => option.value === text);
    if (option) onChange(option.value);
  };
  return (
    <div className="grid content-start gap-1">
      <label htmlFor={id} className="text-muted text-xs">
        {label}
      </label>
      <select
        id={id}
        value={value}
        onChange={(event) => choose(event.target.value)}
        className={`${BOX} max-w-64 pr-1`}
      >
        {options.map(({ value, text }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
