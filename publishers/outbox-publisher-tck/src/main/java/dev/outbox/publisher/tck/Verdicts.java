package dev.outbox.publisher.tck;

import java.util.Collection;
import org.opentest4j.TestAbortedException;

/** Ends tests that cannot be run. */
final class Verdicts {
    private Verdicts() {}

    static void require(boolean possible, String reason) {
        if (!possible) {
            throw new TestAbortedException("Not run: " + reason + ".");
        }
    }

    static void requireOne(Collection<?> ways, String reason) {
        require(!ways.isEmpty(), reason);
    }
}
