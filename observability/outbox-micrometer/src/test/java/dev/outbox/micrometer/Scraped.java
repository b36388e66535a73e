package dev.outbox.micrometer;

import dev.outbox.processes.Await;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.function.DoublePredicate;

/** A registry for Prometheus, read as Prometheus reads it. */
final class Scraped {
    final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT).throwExceptionOnRegistrationFailure();

    /** The value of a series, such as {@code outbox_backlog_messages{topic="orders"}}; NaN if there is none. */
    double value(String series) {
        for (String line : registry.scrape().split("\n", -1)) {
            if (line.startsWith(series + " ")) {
                return Double.parseDouble(line.substring(series.length() + 1));
            }
        }
        return Double.NaN;
    }

    boolean has(String series) {
        return registry.scrape().lines().anyMatch(line -> line.startsWith(series + " "));
    }

    void await(String series, DoublePredicate condition) throws Exception {
        try {
            Await.until(series, () -> has(series) && condition.test(value(series)));
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "\n" + registry.scrape(), e);
        }
    }

    void await(String series, double value) throws Exception {
        await(series, now -> now == value);
    }
}
