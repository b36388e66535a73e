package dev.outbox.spring.boot.internal;

import dev.outbox.ConfigurationException;
import dev.outbox.OutboxListener;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.relay.PublishInterceptor;
import dev.outbox.relay.Relay;
import dev.outbox.spring.OutboxRelay;
import dev.outbox.spring.OutboxTransactions;
import dev.outbox.spring.SpringOutbox;
import java.time.Duration;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;

/** An outbox in the database of the application, a publisher for each topic, and a relay. */
@AutoConfiguration(
        afterName = {
            "org.springframework.boot.autoconfigure.data.mongo.MongoDataAutoConfiguration",
            "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration",
            "org.springframework.boot.data.mongodb.autoconfigure.DataMongoAutoConfiguration",
            "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration"
        })
@EnableConfigurationProperties(OutboxProperties.class)
@Import({AmbiguousOutboxConfiguration.class, JdbcOutboxConfiguration.class, MongoOutboxConfiguration.class})
class OutboxAutoConfiguration {
    /** What a relay needs to stop in addition to its shutdown time, see {@link Relay#close}. */
    private static final Duration LAST_CHANCE = Duration.ofSeconds(5);

    private static final String PHASE_TIMEOUT = "spring.lifecycle.timeout-per-shutdown-phase";

    @Bean
    @ConditionalOnMissingBean
    static OutboxTransactions outboxTransactions() {
        return new OutboxTransactions();
    }

    @Bean
    static PublisherDefinitions outboxPublisherDefinitions() {
        return new PublisherDefinitions();
    }

    @Bean
    @ConditionalOnProperty(name = "outbox.relay.enabled", matchIfMissing = true)
    static OneDatabase outboxOneDatabase() {
        return new OneDatabase();
    }

    /** Nothing else opens the store when an application without a relay starts. */
    @Bean("dev.outbox.spring.boot.schema") // which no bean of an application is called
    SmartInitializingSingleton outboxSchema(OutboxProperties properties, ObjectProvider<Store> store) {
        return () -> {
            if (Boolean.TRUE.equals(properties.store().createSchema())) {
                store.ifUnique(opened -> {});
            }
        };
    }

    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnBean({SpringOutbox.class, Store.class})
    @ConditionalOnProperty(name = "outbox.relay.enabled", matchIfMissing = true)
    OutboxRelay outboxRelay(
            SpringOutbox outbox,
            Store store,
            ObjectProvider<Topic<?>> topics,
            ObjectProvider<OutboxListener> listeners,
            ObjectProvider<PublishInterceptor> interceptors,
            OutboxProperties properties,
            Environment environment) {
        OutboxProperties.Relay relay = properties.relay();
        requireTimeToStop(relay.shutdownTimeout(), environment);
        return new OutboxRelay(outbox, () -> {
            Relay.Builder builder = Relay.builder(store)
                    .workers(relay.workers())
                    .batchSize(relay.batchSize())
                    .publishers(relay.publishers())
                    .maxBatchTime(relay.maxBatchTime())
                    .maxPollInterval(relay.maxPollInterval())
                    .shutdownTimeout(relay.shutdownTimeout());
            topics.orderedStream().forEach(builder::topic);
            listeners.orderedStream().forEach(builder::listener);
            interceptors.orderedStream().forEach(builder::around);
            return builder.build();
        });
    }

    /** Spring goes on without a relay that takes longer, and closes the pool and the brokers' clients under it. */
    private static void requireTimeToStop(Duration shutdownTimeout, Environment environment) {
        Duration phase =
                Binder.get(environment).bind(PHASE_TIMEOUT, Duration.class).orElse(Duration.ofSeconds(30));
        if (shutdownTimeout.plus(LAST_CHANCE).compareTo(phase) > 0) {
            throw new ConfigurationException("outbox.relay.shutdown-timeout is " + shutdownTimeout.toSeconds()
                    + " s, and a relay needs up to " + LAST_CHANCE.toSeconds() + " s more to stop; but "
                    + PHASE_TIMEOUT + " is " + phase.toSeconds() + " s. Lower the first, or raise the second.");
        }
    }
}
