package dev.outbox.spring.boot.internal;

import dev.outbox.Store;
import dev.outbox.spring.OutboxRelay;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What the actuator shows of an outbox. */
@AutoConfiguration(after = OutboxAutoConfiguration.class)
class OutboxEndpointAutoConfiguration {
    /** The starters make a health indicator of it, whose type is another one in each generation of Spring Boot. */
    @Bean
    @ConditionalOnSingleCandidate(OutboxRelay.class)
    @ConditionalOnMissingBean
    OutboxHealth outboxHealth(OutboxRelay relay) {
        return new OutboxHealth(relay);
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
    static class Actuator {
        @Bean
        @ConditionalOnBean(Store.class)
        @ConditionalOnMissingBean
        @ConditionalOnAvailableEndpoint(endpoint = OutboxEndpoint.class)
        OutboxEndpoint outboxEndpoint(ObjectProvider<Store> store, ObjectProvider<OutboxRelay> relay) {
            return new OutboxEndpoint(store::getObject, relay.getIfUnique());
        }
    }
}
