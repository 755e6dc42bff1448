/** Leaves at most `max` entries in the map, those that came last. */
export function forgetOldest<K>(map: Map<K, unknown>, max: number): void {
  if (map.size <= max) return;
  for (const [key] of map) {
    if (map.size <= max) return;
    map.delete(key);
  }
}
