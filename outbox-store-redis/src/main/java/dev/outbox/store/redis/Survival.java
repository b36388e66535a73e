package dev.outbox.store.redis;

import org.slf4j.Logger;

/** What threads do that must not end: they may be out of memory even for saying that they are out of memory. */
final class Survival {
    private Survival() {}

    /** Warns of a failure, if that can be. */
    static void say(Logger log, String what, Throwable failure) {
        try {
            log.warn(what, failure);
        } catch (Throwable e) {
            // said by nobody, and the thread goes on
        }
    }
}
