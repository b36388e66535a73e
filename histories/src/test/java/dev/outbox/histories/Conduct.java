package dev.outbox.histories;

/** What a publisher does with a message; which the message itself says, so that it depends on nothing but the seed. */
enum Conduct {
    /** The broker takes it at once. */
    FAST,
    /** The broker takes it after so many milliseconds. */
    SLOW,
    /** So many attempts fail. */
    FAILS,
    /** Every attempt fails, until it is given up. */
    POISON,
    /** The first attempt ends in an {@link Error}. */
    ERROR,
    /** At the first attempt the broker takes it, and the publisher fails all the same. */
    TAKES_AND_FAILS,
    /** The first attempt does not come back for so many milliseconds, or, of an asynchronous publisher, never. */
    HANGS
}
