package dev.outbox.spring.boot.test;

import dev.outbox.OutboxListener;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.relay.PublishInterceptor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/** What a test gets in addition to the outbox of the application. */
@AutoConfiguration(afterName = "dev.outbox.spring.boot.internal.OutboxAutoConfiguration")
class OutboxTesterAutoConfiguration {
    @Bean
    static RecordingTopics outboxRecordingTopics(Environment environment) {
        return new RecordingTopics(environment.getProperty("outbox.test.call-publishers", Boolean.class, false));
    }

    /** It opens the store, so that the tables are there before the test publishes. */
    @Bean
    @ConditionalOnBean(Store.class)
    OutboxTester outboxTester(
            RecordingTopics recording,
            Store store,
            ObjectProvider<Topic<?>> topics,
            ObjectProvider<OutboxListener> listeners,
            ObjectProvider<PublishInterceptor> interceptors) {
        return new OutboxTester(recording, store, topics, listeners, interceptors);
    }
}
