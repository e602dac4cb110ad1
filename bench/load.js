import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * A connection that is kept open, with one request under way at a time. Less work than node:http, so that
 * the load does not take the machine from what is measured.
 */
export class Connection {
  #socket;
  #received = '';
  #answered;

  static async open(url) {
    const connection = new Connection();
    const { port } = new URL(url);
    connection.#socket = connect(Number(port), '127.0.0.1');
    connection.#socket.setNoDelay(true);
    connection.#socket.setEncoding('latin1');
    await once(connection.#socket, 'connect');
    connection.#socket.on('data', (text) => {
      connection.#received += text;
      connection.#look();
    });
    connection.#socket.on('error', (error) => connection.#answered?.reject(error));
    connection.#socket.on('close', () => connection.#answered?.reject(new Error('closed')));
    return connection;
  }

  /** @returns {Promise<{ status: number, head: string, body: string }>} */
  request(text) {
    return new Promise((resolve, reject) => {
      this.#answered = { resolve, reject };
      this.#socket.write(text);
    });
  }

  close() {
    this.#answered = undefined;
    this.#socket.destroy();
  }

  #look() {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.slice(0, end + 2);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    let total;
    if (length !== undefined) total = end + 4 + Number(length);
    else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      const last = this.#received.indexOf('0\r\n\r\n', end + 2);
      if (last < 0) return;
      total = last + 5;
    } else total = end + 4;
    if (this.#received.length < total) return;
    const body = this.#received.slice(end + 4, total);
    this.#received = this.#received.slice(total);
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.resolve({ status: Number(head.slice(9, 12)), head, body });
  }
}

/** A GET as text. */
export function get(url, path, cookie, extra = '') {
  return `GET ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nAccept: application/json\r\nCookie: ${cookie}\r\n${extra}\r\n`;
}

/**
 * Sends requests by some connections, each as soon as the one before is answered.
 *
 * @param {string} url
 * @param {readonly string[]} requests sent in turn
 * @param {number} count
 * @param {{ connections?: number, check?: (answer: { status: number, head: string, body: string }) => void }} [options]
 */
export async function sendAll(url, requests, count, { connections = 16, check } = {}) {
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(url)));
  let sent = 0;
  const work = async (connection) => {
    while (sent < count) {
      const answer = await connection.request(requests[sent++ % requests.length]);
      check?.(answer);
    }
  };
  try {
    await Promise.all(open.map(work));
  } finally {
    for (const connection of open) connection.close();
  }
}
