package dev.outbox.micrometer;

import dev.outbox.MisuseException;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.stream.Collectors;

/**
 * The outboxes that share a registry. Two outboxes with the same tags would mix their numbers. The registry of
 * Prometheus drops a meter that has other keys of tags than an earlier one of its name, so the outboxes need the same
 * keys and the same detail. Static, because two outboxes do not know each other. Safe for use by several threads.
 */
final class Tenants {
    private record Tenant(Tags tags, MeterDetail detail) {}

    private static final Map<MeterRegistry, List<Tenant>> TENANTS = new WeakHashMap<>(); // guarded by itself

    private Tenants() {}

    /**
     * Lets an outbox into a registry.
     *
     * @throws MisuseException if it cannot share the registry with those that are in it
     */
    static void enter(MeterRegistry registry, Tags tags, MeterDetail detail) {
        synchronized (TENANTS) {
            check(registry, tags, detail);
            TENANTS.computeIfAbsent(registry, absent -> new ArrayList<>()).add(new Tenant(tags, detail));
        }
    }

    private static void check(MeterRegistry registry, Tags tags, MeterDetail detail) {
        for (Tenant each : TENANTS.getOrDefault(registry, List.of())) {
            requireOther(each.tags(), tags);
            if (!keys(each.tags()).equals(keys(tags))) {
                throw otherKeys(each.tags(), tags);
            }
            if (each.detail() != detail) {
                throw new MisuseException("The registry has the meters of another outbox with MeterDetail."
                        + each.detail() + "; expected the same detail here, not " + detail + ".");
            }
        }
        // A registry may also have meters by way of another one that it is a part of, and it may add tags to all.
        for (Meter each : registry.find("outbox.settle").meters()) {
            Tags others = Tags.of(each.getId().getTags());
            requireOther(others, tags);
            if (!keys(others).containsAll(keys(tags))) {
                throw otherKeys(others, tags);
            }
        }
        if (registry instanceof CompositeMeterRegistry whole) {
            whole.getRegistries().forEach(part -> check(part, tags, detail));
        }
    }

    static void leave(MeterRegistry registry, Tags tags, MeterDetail detail) {
        synchronized (TENANTS) {
            List<Tenant> tenants = TENANTS.get(registry);
            if (tenants != null) {
                tenants.remove(new Tenant(tags, detail));
            }
        }
    }

    private static void requireOther(Tags others, Tags tags) {
        if (others.stream().toList().containsAll(tags.stream().toList())) {
            throw new MisuseException("The registry has the meters of another outbox with the tags " + others
                    + ". Give each outbox a value of its own, as OutboxMetrics.Builder.tag(\"outbox\", \"billing\").");
        }
    }

    private static MisuseException otherKeys(Tags others, Tags tags) {
        return new MisuseException("The registry has the meters of another outbox with the tags " + others
                + ", and these have the tags " + tags + ". Give both the same keys, with a value of its own each, as"
                + " OutboxMetrics.Builder.tag(\"outbox\", \"billing\").");
    }

    private static Set<String> keys(Tags tags) {
        return tags.stream().map(Tag::getKey).collect(Collectors.toSet());
    }
}
