package dev.outbox.spring.boot.test;

import dev.outbox.Receipt;
import dev.outbox.Topic;
import dev.outbox.spring.OutboxRelay;
import org.springframework.beans.factory.config.BeanPostProcessor;

/**
 * Has every topic of an application tell what is published, and keeps it away from brokers. Relays that the application
 * has made itself do not start.
 */
final class RecordingTopics implements BeanPostProcessor {
    private final RecordedMessages messages = new RecordedMessages();
    private final boolean callsPublishers;

    RecordingTopics(boolean callsPublishers) {
        this.callsPublishers = callsPublishers;
    }

    RecordedMessages messages() {
        return messages;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (bean instanceof OutboxRelay relay) {
            relay.setAutoStartup(false);
        }
        return bean instanceof Topic<?> topic ? recorded(topic) : bean;
    }

    private <T> Topic<T> recorded(Topic<T> topic) {
        Topic.Builder<T> builder = topic.toBuilder().listener(messages);
        if (!callsPublishers) {
            builder.publisher(delivery -> Receipt.of(delivery.id()));
        }
        return builder.build();
    }
}
