/** One flag of the International Code of Signals that the shop sews. */
export interface Ware {
  /** Also the id of its drawing in `public/flags.svg`. */
  readonly letter: string;
  readonly name: string;
  /** What the flag says when it is hoisted alone. */
  readonly meaning: string;
  readonly note: string;
  readonly priceCents: number;
}

export const wares: readonly Ware[] = [
  {
    letter: 'K',
    name: 'Kilo',
    meaning: 'I wish to communicate with you.',
    note: 'For the office door that is meant to be knocked on.',
    priceCents: 2900,
  },
  {
    letter: 'C',
    name: 'Charlie',
    meaning: 'Affirmative.',
    note: 'Yes, in five stripes. Goes out by the dozen in wedding season.',
    priceCents: 3100,
  },
  {
    letter: 'N',
    name: 'November',
    meaning: 'Negative.',
    note: 'No, in sixteen squares. For the door next to the first one.',
    priceCents: 3400,
  },
  {
    letter: 'X',
    name: 'X-ray',
    meaning: 'Stop carrying out your intentions and watch for my signals.',
    note: 'For the meeting that could have been a letter.',
    priceCents: 2900,
  },
  {
    letter: 'Q',
    name: 'Quebec',
    meaning: 'My vessel is healthy and I request free pratique.',
    note: 'Plain yellow, one seam. Our lightest, and the first we ever sewed.',
    priceCents: 2400,
  },
  {
    letter: 'U',
    name: 'Uniform',
    meaning: 'You are running into danger.',
    note: 'Hangs well above a biscuit tin.',
    priceCents: 2900,
  },
  {
    letter: 'P',
    name: 'Papa',
    meaning: 'All aboard: the vessel is about to proceed to sea.',
    note: 'The Blue Peter, for the last evening of a holiday.',
    priceCents: 2900,
  },
  {
    letter: 'G',
    name: 'Golf',
    meaning: 'I require a pilot.',
    note: 'For a first day anywhere.',
    priceCents: 3400,
  },
  {
    letter: 'W',
    name: 'Whiskey',
    meaning: 'I require medical assistance.',
    note: 'Nested by hand, so the corners meet.',
    priceCents: 3400,
  },
  {
    letter: 'L',
    name: 'Lima',
    meaning: 'You should stop your vessel instantly.',
    note: 'For the top of the stairs, at toddler height.',
    priceCents: 2900,
  },
  {
    letter: 'O',
    name: 'Oscar',
    meaning: 'Man overboard.',
    note: 'For out-of-office days.',
    priceCents: 2900,
  },
  {
    letter: 'Z',
    name: 'Zulu',
    meaning: 'I require a tug.',
    note: 'For Mondays.',
    priceCents: 3800,
  },
];

/** Finds a ware by its letter; the letter comes from a form or a request body, so from anybody. */
export function findWare(unverifiedLetter: unknown): Ware | undefined {
  return wares.find((ware) => ware.letter === unverifiedLetter);
}

const euros = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });

/** Shows an amount the way the shop writes prices. */
export function formatPrice(cents: number): string {
  return euros.format(cents / 100);
}
