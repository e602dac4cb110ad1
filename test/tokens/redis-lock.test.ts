import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { redisLock } from 'passport-oidc-hybrid';

describe('lock in Redis', () => {
  it('takes a client of ioredis as well, by its command', async () => {
    const sent: string[][] = [];
    const lock = redisLock({
      call: async (...command) => {
        sent.push(command);
        return 'OK';
      },
    });
    await (await lock.acquire('d', 2, 0))?.();
    expect(sent.map(([name]) => name)).toEqual(['SET', 'EVAL']);
    expect(sent[0]).toEqual(['SET', 'oidc-lock:d', expect.any(String), 'NX', 'PX', '2000']);
    expect(sent[1]?.slice(3)).toEqual(['oidc-lock:d', sent[0]?.[2]]);
  });
});

describe('the lease of a lock in Redis', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  /** What a client is sent: how often each command, and the last one whole. */
  function startClient(): {
    sent: string[][];
    client: { sendCommand(args: string[]): Promise<string> };
  } {
    const sent: string[][] = [];
    jest.useFakeTimers();
    return {
      sent,
      client: {
        async sendCommand(args) {
          sent.push(args);
          return 'OK';
        },
      },
    };
  }

  it('is renewed while its holder lives, and no longer', async () => {
    const { sent, client } = startClient();
    const release = await redisLock(client).acquire('a', 9, 0);
    jest.advanceTimersByTime(8999);
    expect(sent).toHaveLength(3);
    const [, script = '', ...rest] = sent[2] ?? [];
    expect(script).toContain('pexpire');
    expect(rest).toEqual(['1', 'oidc-lock:a', sent[0]?.[2], '9000']);
    await release?.();
    jest.advanceTimersByTime(60_000);
    expect(sent).toHaveLength(4);
  });

  it('is not renewed for ever by somebody who forgot it', async () => {
    const { sent, client } = startClient();
    await redisLock(client).acquire('a', 9, 0);
    jest.advanceTimersByTime(3_600_000);
    expect(sent).toHaveLength(1 + 180);
  });

  it('survives a client that throws at once', async () => {
    jest.useFakeTimers();
    let isDown = false;
    const lock = redisLock({
      sendCommand(args) {
        if (isDown) throw new Error('closed');
        return Promise.resolve(args[0] === 'SET' ? 'OK' : 1);
      },
    });
    await lock.acquire('a', 9, 0);
    isDown = true;
    expect(() => jest.advanceTimersByTime(4000)).not.toThrow();
  });

  it('survives a renewal that fails', async () => {
    const { sent, client } = startClient();
    const lock = redisLock({
      sendCommand: (args) =>
        args[0] === 'SET' ? client.sendCommand(args) : Promise.reject(new Error('down')),
    });
    const release = await lock.acquire('a', 9, 0);
    jest.advanceTimersByTime(4000);
    await expect(release?.()).rejects.toThrow('down');
    expect(sent).toHaveLength(1);
  });
});
