package dev.outbox.histories;

import dev.outbox.processes.Await;
import java.time.Duration;

/**
 * Something that goes wrong for a while.
 *
 * @param scope as {@link Trouble} has it
 * @param grace as {@link Trouble} has it
 * @param minutesOnly whether it takes too long for the short form
 */
record Fault(String name, String scope, Duration grace, boolean minutesOnly, Strike strike) {
    /** Has it go wrong, waits for so long, and has everything be as before, whatever happens. */
    interface Strike {
        void last(Duration time) throws Exception;
    }

    /** What brings something about, or ends it. */
    interface Step {
        void take() throws Exception;
    }

    static Fault ofAll(String name, Strike strike) {
        return new Fault(name, Trouble.ALL, Duration.ZERO, false, strike);
    }

    static Fault ofAll(String name, Step begin, Step end) {
        return ofAll(name, between(begin, end));
    }

    static Fault of(RelayProcess relay, String name, Strike strike) {
        return new Fault(name, relay.name(), Duration.ZERO, false, strike);
    }

    Fault forMinutesOnly() {
        return new Fault(name, scope, grace, true, strike);
    }

    Fault withGrace(Duration longer) {
        return new Fault(name, scope, longer, minutesOnly, strike);
    }

    Fault concerning(String place) {
        return new Fault(name, place, grace, minutesOnly, strike);
    }

    static Strike between(Step begin, Step end) {
        return time -> {
            try {
                begin.take();
                Await.passed(time);
            } finally {
                end.take();
            }
        };
    }
}
