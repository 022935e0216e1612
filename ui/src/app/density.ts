// How much room rows and cards take.

import { preference } from "./preference";

export type Density = "comfortable" | "compact";

const density = preference<Density>("density", ["comfortable", "compact"], () => "comfortable");

/** Puts the density into effect. */
export function applyDensity(): void {
  const apply = () => {
    document.documentElement.dataset.density = density.get();
  };
  apply();
  density.listen(apply);
}

/** The density, and how to choose another. */
export function useDensity(): [Density, (density: Density) => void] {
  return [density.use(), density.set];
}
