package dev.outbox.spring.boot4;

import dev.outbox.spring.boot.internal.OutboxHealth;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** The health of the outbox as Spring Boot 4 shows it: under the name "outbox", in no group for probes. */
@AutoConfiguration(afterName = "dev.outbox.spring.boot.internal.OutboxEndpointAutoConfiguration")
@ConditionalOnClass(ConditionalOnEnabledHealthIndicator.class)
@ConditionalOnBean(OutboxHealth.class)
@ConditionalOnEnabledHealthIndicator("outbox")
class OutboxHealthAutoConfiguration {
    @Bean
    @ConditionalOnMissingBean(name = "outboxHealthIndicator")
    HealthIndicator outboxHealthIndicator(OutboxHealth outbox) {
        return () -> {
            OutboxHealth.Finding found = outbox.look();
            return (found.isUp() ? Health.up() : Health.down())
                    .withDetails(found.details())
                    .build();
        };
    }
}
