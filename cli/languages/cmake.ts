import type { Build } from '../build.ts';
export function buildWithCmake(_build: Build): string[] {
  return [];
}
