// Light or dark: as the system says, until somebody chooses.

import { preference } from "./preference";

export type Theme = "light" | "dark";

const system = window.matchMedia("(prefers-color-scheme: dark)");
const theme = preference<Theme>("theme", ["light", "dark"], () => (system.matches ? "dark" : "light"));

/** Puts the theme into effect, and follows the system. */
export function applyTheme(): void {
  const apply = () => {
    document.documentElement.dataset.theme = theme.get();
  };
  apply();
  theme.listen(apply);
  system.addEventListener("change", () => {
    apply();
    theme.refresh();
  });
}

/** The theme, and how to choose another. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  return [theme.use(), theme.set];
}
