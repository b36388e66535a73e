package dev.outbox.servers;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.launcher.PostDiscoveryFilter;

/**
 * Takes the tests of servers that a developer switched off by {@code -Doutbox.test.without=postgres} out of the run, so
 * that they are counted neither as passed nor as skipped, and says so. Tests are known by their tag.
 */
public final class SwitchedOff implements PostDiscoveryFilter {
    /** Names of servers, separated by commas. */
    static final String PROPERTY = "outbox.test.without";

    private final Set<String> servers = Arrays.stream(
                    System.getProperty(PROPERTY, "").split(","))
            .map(String::trim)
            .collect(Collectors.toSet());
    private final Set<String> said = ConcurrentHashMap.newKeySet();

    /** For {@link java.util.ServiceLoader}. */
    public SwitchedOff() {}

    @Override
    public FilterResult apply(TestDescriptor test) {
        for (TestDescriptor part = test; part != null; part = part.getParent().orElse(null)) {
            if (part.getTags().stream().anyMatch(tag -> servers.contains(tag.getName()))) {
                if (part.isContainer() && said.add(part.getUniqueId().toString())) {
                    System.err.println(
                            "[test-servers] NOT TESTED: " + part.getDisplayName() + ", switched off by -D" + PROPERTY);
                }
                return FilterResult.excluded("switched off");
            }
        }
        return FilterResult.included("wanted");
    }
}
