package dev.outbox.relay;

import dev.outbox.internal.Log;

/** The one logger of the relay. Which class writes a line is of no interest to those who read it. */
final class RelayLog {
    static final Log LOG = Log.of("dev.outbox.relay");

    private RelayLog() {}
}
