/**
 * The queue of a simulation: events in the order of their time, and of their making where times are equal.
 *
 * @module
 */

/** Where an event happens, if not just anywhere: it may hold its events back. */
export interface EventHost {
  /** Asked when `event` is due. True: the host keeps it, and gives it back later. */
  holds(event: ClockEvent): boolean;
}

/** Something that happens at a moment of virtual time. */
export interface ClockEvent {
  /** When, in virtual milliseconds. */
  readonly timeMs: number;
  /** Tells events of one time apart: the one made first happens first. */
  readonly sequence: number;
  /** What happens. */
  readonly run: () => void;
  /** On which host. */
  readonly host: EventHost | undefined;
  /** Called off: it is dropped wherever it waits. */
  cancelled: boolean;
  /** Its place in the heap, or -1 where it is in none. */
  index: number;
}

function isBefore(a: ClockEvent, b: ClockEvent): boolean {
  return a.timeMs !== b.timeMs ? a.timeMs < b.timeMs : a.sequence < b.sequence;
}

/** A binary heap whose events know their place, so that one that is called off leaves at once. */
export class EventHeap {
  readonly #events: ClockEvent[] = [];

  /** Takes an event in. */
  push(event: ClockEvent): void {
    this.#events.push(event);
    this.#rise(event, this.#events.length - 1);
  }

  /** Takes the next event out, or gives undefined. */
  pop(): ClockEvent | undefined {
    const first = this.#events[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes out an event that is in the heap. */
  remove(event: ClockEvent): void {
    const at = event.index;
    event.index = -1;
    const last = this.#events.pop()!;
    if (last === event) return;
    this.#rise(last, at);
    this.#sink(last, last.index);
  }

  #rise(event: ClockEvent, from: number): void {
    const events = this.#events;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = events[above]!;
      if (!isBefore(event, parent)) break;
      events[at] = parent;
      parent.index = at;
      at = above;
    }
    events[at] = event;
    event.index = at;
  }

  #sink(event: ClockEvent, from: number): void {
    const events = this.#events;
    let at = from;
    for (let below = 2 * at + 1; below < events.length; below = 2 * at + 1) {
      const right = events[below + 1];
      if (right !== undefined && isBefore(right, events[below]!)) below++;
      const child = events[below]!;
      if (!isBefore(child, event)) break;
      events[at] = child;
      child.index = at;
      at = below;
    }
    events[at] = event;
    event.index = at;
  }
}
