package dev.outbox.relay;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one logger of the relay. Which class writes a line is of no interest to those who read it. */
final class RelayLog {
    static final Logger LOG = LoggerFactory.getLogger("dev.outbox.relay");

    private RelayLog() {}
}
