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
}
