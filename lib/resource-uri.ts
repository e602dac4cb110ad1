/**
 * Whether a value can stand in the parameter `resource`: an absolute URI without a fragment.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 section 2}
 */
export function isResourceUri(value: unknown): value is string {
  return typeof value === 'string' && URL.canParse(value) && !value.includes('#');
}
