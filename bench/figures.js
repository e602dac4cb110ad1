/** The middle of some numbers. */
export function median(numbers) {
  return quantile(numbers, 0.5);
}

/** @param {number} share from 0 to 1 */
export function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)];
  return low + (sorted[Math.ceil(position)] - low) * (position % 1);
}

/** A median with its middle half: `1.02 (0.98-1.05)`. */
export function spread(numbers, digits = 2) {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) =>
    quantile(numbers, share).toFixed(digits),
  );
  return `${middle} (${low}-${high})`;
}

/** Rows as a table of Markdown. */
export function table(head, rows) {
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows];
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}
