package dev.outbox.spring.boot.internal;

import dev.outbox.ConfigurationException;
import dev.outbox.OutboxException;
import dev.outbox.StoreException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Says in plain text why an application with an outbox does not start. */
final class OutboxFailureAnalyzer extends AbstractFailureAnalyzer<OutboxException> {
    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, OutboxException cause) {
        return new FailureAnalysis(String.valueOf(cause.getMessage()), action(cause), cause);
    }

    private static String action(OutboxException cause) {
        if (cause instanceof ConfigurationException) {
            return "Do what the description says, and start the application again. If another process runs the relay,"
                    + " outbox.relay.enabled=false starts this application without one.";
        }
        if (cause instanceof StoreException) {
            return "See that the database is there and takes connections of this application. The outbox uses the"
                    + " application's own connections, so its settings are those of the application.";
        }
        return "Do what the description says, and start the application again.";
    }
}
