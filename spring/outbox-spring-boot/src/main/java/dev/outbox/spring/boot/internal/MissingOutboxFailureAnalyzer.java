package dev.outbox.spring.boot.internal;

import dev.outbox.spring.OutboxPublisher;
import dev.outbox.spring.SpringOutbox;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.Order;

/** Says why there is no publisher, or no outbox. It comes before the analyzer that Spring Boot has for all beans. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class MissingOutboxFailureAnalyzer extends AbstractFailureAnalyzer<NoSuchBeanDefinitionException> {
    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, NoSuchBeanDefinitionException cause) {
        ResolvableType type = cause.getResolvableType();
        if (type != null && type.resolve() == OutboxPublisher.class) {
            String message = type.getGeneric(0).toString();
            return cause.getNumberOfBeansFound() > 1
                    ? new FailureAnalysis(
                            "There are " + cause.getNumberOfBeansFound() + " topics of type Topic<" + message
                                    + ">, and a publisher for one of them is wanted.",
                            "Name the bean of the topic where the publisher is injected, as in @Qualifier(\"orders\").",
                            cause)
                    : new FailureAnalysis(
                            "A publisher for messages of type " + message
                                    + " is wanted, and there is no topic of them.",
                            "Define a bean of type Topic<" + message + ">, with its message type in the return type of"
                                    + " the method.",
                            cause);
        }
        if (type != null && type.resolve() == SpringOutbox.class && cause.getNumberOfBeansFound() > 1) {
            return new FailureAnalysis(
                    "There are " + cause.getNumberOfBeansFound() + " outboxes, and one of them is wanted.",
                    "Mark one with @Primary. Make the publishers of the others by outbox.publisher(topic).",
                    cause);
        }
        if (type != null && type.resolve() == SpringOutbox.class) {
            return new FailureAnalysis(
                    "There is no outbox to publish to: the application has no store of outbox on its class path, or"
                            + " no database that is the only or the primary one.",
                    "Add dev.outbox:outbox-store-jooq and a DataSource, or dev.outbox:outbox-store-mongo and MongoDB."
                            + " If there are several DataSources, mark the one of the outbox with @Primary, or define a"
                            + " bean by SpringJdbcOutbox.of(transactions, dataSource) and a Store over the same"
                            + " DataSource.",
                    cause);
        }
        return null;
    }
}
