/** A cookie that a browser keeps. */
export interface KeptCookie {
  readonly name: string;
  readonly value: string;
  readonly secure: boolean;
}

/** What a tab has to come to show: a page with this URL, with this title, or with both. */
export interface Sight {
  readonly url?: string | RegExp;
  readonly title?: string;
}

/** A tab of a real browser, whichever it is. */
export interface Tab {
  /** Brings it to the front: in tabs behind it browsers save work, and look ahead at no page. */
  show(): Promise<void>;
  /** Goes to a URL, as if it were typed in. @default the page with that URL */
  go(url: string, sight?: Sight): Promise<void>;
  /** Sets out for a URL, and waits for nothing. */
  setOut(url: string): void;
  /** Does something that leads to another page. */
  arrive(sight: Sight, act: () => Promise<unknown>): Promise<void>;
  /** Clicks the first such element. */
  click(selector: string, sight: Sight): Promise<void>;
  /** The same, and waits for nothing. */
  push(selector: string): Promise<void>;
  /**
   * Uses the first button or link of a page that is about to be left, and waits for nothing: of the page
   * on which it was pushed before, or of another that has come since.
   */
  pushAgain(page: 'same' | 'another'): Promise<void>;
  reload(): Promise<void>;
  /** Goes back, and waits until the page has the title: one from the back-forward cache loads nothing. */
  back(title: string): Promise<void>;
  /** What a JavaScript expression, or its promise, comes to; anything that JSON can say. */
  evaluate(expression: string): Promise<unknown>;
  /** The text of the first such element. */
  text(selector: string): Promise<unknown>;
  /** Cookies of all pages of the origin's host, by name: those for one path only are left out. */
  cookies(origin: string): Promise<KeptCookie[]>;
  /** Takes all cookies away, or those with such a name, of whatever site and path. */
  deleteCookies(name?: RegExp): Promise<void>;
  /** Another tab, which shares its cookies. */
  another(): Promise<Tab>;
}

/** A real browser, whichever it is. */
export interface TabbedBrowser {
  /** A tab that shares no cookies with any that was opened before. */
  open(settings?: { readonly runsScripts: boolean }): Promise<Tab>;
  close(): Promise<void>;
}

/** How to see what a tab shows. */
export interface View {
  /** Calls a function at each page that has been loaded, until it is told to stop. */
  onLoad(listener: () => void): () => void;
  look(): Promise<{ readonly url: string; readonly title: string }>;
}

/** Long enough for a machine that is busy. */
const limitSeconds = 30;

/**
 * Does something, and waits until a page that the tab has to come to has been loaded.
 *
 * @throws Error with what it came to instead
 */
export async function arriveAt(
  sight: Sight,
  act: () => Promise<unknown>,
  view: View,
): Promise<void> {
  const seen: unknown[] = [];
  let limit: NodeJS.Timeout | undefined;
  let stop = (): void => undefined;
  const arrival = new Promise<void>((resolve, reject) => {
    limit = setTimeout(() => {
      reject(
        new Error(`not ${sight.url ?? ''} "${sight.title ?? ''}", but ${JSON.stringify(seen)}`),
      );
    }, limitSeconds * 1000);
    stop = view.onLoad(() => {
      view.look().then(
        (shown) => {
          seen.push(shown);
          if (isSeen(sight, shown)) resolve();
        },
        // A page that has been left answers nothing.
        () => undefined,
      );
    });
  });
  try {
    // A page that submits itself interrupts the navigation that led to it.
    await Promise.all([arrival, act().catch((error: unknown) => seen.push(String(error)))]);
  } finally {
    clearTimeout(limit);
    stop();
  }
}

function isSeen({ url, title }: Sight, shown: { url: string; title: string }): boolean {
  const isThere = url instanceof RegExp ? url.test(shown.url) : (url ?? shown.url) === shown.url;
  return isThere && (title ?? shown.title) === shown.title;
}
