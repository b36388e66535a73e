package dev.outbox.benchmarks;

import dev.outbox.micrometer.MeterDetail;
import dev.outbox.micrometer.OutboxMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

/** What the meters cost: the same work with them and without them. */
final class WithMetrics {
    private static final String WITHOUT = "without-metrics";

    private WithMetrics() {}

    static void measure(Run run) throws Exception {
        for (String name : run.atLength() ? run.backends() : run.of("postgres", "h2")) {
            Run.Pair pair = run.open(name);
            PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
            run.note(Contest.of(
                    name + ".metrics.drain",
                    WITHOUT,
                    run.pace(),
                    new Drain(Backlog.of(pair.ours()), 100).metered(registry),
                    new Drain(Backlog.of(pair.theirs()), 100)));
            try (OutboxMetrics metrics =
                    OutboxMetrics.builder().detail(MeterDetail.TOPIC).build()) {
                metrics.bindTo(registry);
                run.note(Contest.of(
                        name + ".metrics.persist",
                        WITHOUT,
                        run.pace(),
                        Persist.oneByOne(pair.ours(), 10).heardBy(metrics),
                        Persist.oneByOne(pair.theirs(), 10)));
            }
        }
    }
}
