package dev.outbox.tck;

import java.util.List;

/**
 * What proves that a rule is broken.
 *
 * @param rule its id
 * @param observed what was seen and what was expected
 * @param history what happened before, in order; empty if nothing was recorded
 */
record Witness(String rule, String observed, List<String> history) {
    Witness {
        history = List.copyOf(history);
    }
}
