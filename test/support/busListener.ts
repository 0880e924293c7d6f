import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Bus, BusMessage } from '../../src/realtime/bus.ts';
import { eventually } from './eventually.ts';

export const HELLO: BusMessage = { kind: 'broadcast' };

export const newTopic = () => `user:${randomUUID()}`;

/** A process, as far as the bus is concerned. */
export class Listener {
  readonly bus: Bus;
  readonly received: { topic: string; message: BusMessage; text: string }[] = [];
  losses = 0;

  constructor(bus: Bus) {
    this.bus = bus;
  }

  receive(topic: string, message: BusMessage, text: string): void {
    this.received.push({ topic, message, text });
  }

  restored(): void {
    this.losses++;
  }

  lost(): void {
    this.losses++;
  }

  texts(topic: string): string[] {
    return this.received.filter((received) => received.topic === topic && received.message.kind === 'broadcast').map(({ text }) => text);
  }

  async hears(topic: string, texts: string[]): Promise<void> {
    await eventually(() => expect(this.texts(topic)).toEqual(texts));
  }

  /**
   * Waits until it hears what the other one publishes on this topic from now on. On a machine that is busy the bus may be away once more:
   * then a message is lost, the loss is told, and it is published again.
   */
  async hearsAgain(topic: string, { bus }: Listener): Promise<void> {
    // A loss on the way to the bus is told by a message of its own, one on the way from it by the bus.
    const told = () => this.received.length + this.losses;
    while (!this.texts(topic).includes('again')) {
      const before = told();
      void bus.publish(topic, HELLO, 'again');
      await eventually(() => expect(told()).toBeGreaterThan(before));
    }
  }
}
