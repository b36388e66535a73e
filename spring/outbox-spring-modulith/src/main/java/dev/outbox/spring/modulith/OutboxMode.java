package dev.outbox.spring.modulith;

import dev.outbox.ConfigurationException;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Whether the outbox externalizes events. Spring Modulith 2.1 reads the same property, and earlier versions do not know
 * it. It must be set, because events would be lost without a word if each side thought that the other one sends them.
 */
final class OutboxMode implements Condition {
    static final String MODE = "spring.modulith.events.externalization.mode";
    static final String ENABLED = "spring.modulith.events.externalization.enabled";

    @Override
    public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
        Environment environment = context.getEnvironment();
        if (!environment.getProperty(ENABLED, Boolean.class, true)) {
            return false;
        }
        String mode = environment.getProperty(MODE, "not set").replace('_', '-');
        if (mode.equalsIgnoreCase("outbox")) {
            return true;
        }
        if (mode.equalsIgnoreCase("module-listener")) {
            return false;
        }
        throw new ConfigurationException(MODE + " is " + mode + "; expected outbox, so that outbox-spring-modulith"
                + " externalizes the events, or module-listener, so that Spring Modulith does it by itself.");
    }
}
