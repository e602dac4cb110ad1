/** Response types and modes of the certification profiles Basic, Form Post Basic, and Hybrid by form_post. */
export const profiles = [
  ['code', 'query'],
  ['code', 'form_post'],
  ['code id_token', 'form_post'],
  ['code token', 'form_post'],
  ['code id_token token', 'form_post'],
] as const;
