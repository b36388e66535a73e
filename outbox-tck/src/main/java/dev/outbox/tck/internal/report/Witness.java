package dev.outbox.tck.internal.report;

import java.util.List;

/**
 * What proves that a rule is broken.
 *
 * @param rule its id
 * @param observed what was seen and what was expected
 * @param history what happened before, in order; empty if nothing was recorded
 */
public record Witness(String rule, String observed, List<String> history) {
    public Witness {
        history = List.copyOf(history);
    }
}
