/**
 * A map that forgets its oldest entries beyond a number: what one process remembers of many
 * visitors must not grow with them.
 */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #maxSize: number;

  constructor(maxSize: number) {
    super();
    this.#maxSize = maxSize;
  }

  override set(key: Key, value: Value): this {
    // Set anew, an entry is the youngest.
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#maxSize) {
      const [oldest] = this.keys();
      this.delete(oldest as Key);
    }
    return this;
  }
}
