import { ToggleGroup } from "radix-ui";

interface Props<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly text: string; readonly short: string }[];
  readonly onChange: (value: T) => void;
}

/** One of a few choices, side by side; arrow keys move between them. */
export function Choice<T extends string>({ label, value, options, onChange }: Props<T>) {
  const choose = (text: string) => {
    const option = options.find((option) => option.value === text);
    // Pressing the chosen one again gives an empty text: it stays chosen.
    if (option) onChange(option.value);
  };
  return (
    <ToggleGroup.Root
      type="single"
      aria-label={label}
      value={value}
      onValueChange={choose}
      className="inline-flex rounded-lg border border-line bg-surface p-0.5"
    >
      {options.map((option) => (
        <ToggleGroup.Item
          key={option.value}
          value={option.value}
          className="h-7 rounded-md px-2.5 text-muted transition-colors hover:text-ink data-[state=on]:bg-ink data-[state=on]:font-medium data-[state=on]:text-surface"
        >
          <span className="max-sm:hidden">{option.text}</span>
          <span className="sm:hidden">{option.short}</span>
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
