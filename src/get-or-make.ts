/** Owns looking up what a map holds, made when it is first asked for. */

interface Held<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
}

/** The value of `key`; what `make` gives is kept where there was none. */
export function getOrMake<K, V>(map: Held<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
