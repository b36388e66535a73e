package dev.outbox.tck.internal.spec;

import java.util.Locale;

/**
 * A test of the suite.
 *
 * @param name of its method, which no other test has
 * @param rule the id of the rule it carries
 */
public record RuleTest(String name, String rule, Level level) {
    /** Its name as the sentence it is. */
    public String words() {
        return name.replaceAll("(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
    }
}
