package dev.outbox.spring.modulith;

import dev.outbox.Topic;
import dev.outbox.spring.SpringOutbox;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.modulith.events.EventExternalizationConfiguration;
import org.springframework.modulith.events.support.BrokerRouting;

/** Externalizes events through the outbox of the application, if Spring Modulith is told to use an outbox. */
@AutoConfiguration(
        afterName = {
            "dev.outbox.spring.boot.internal.OutboxAutoConfiguration",
            "org.springframework.modulith.events.config.EventExternalizationAutoConfiguration"
        })
@ConditionalOnClass({BrokerRouting.class, EventExternalizationConfiguration.class})
@ConditionalOnBean(EventExternalizationConfiguration.class)
@Conditional(OutboxMode.class)
class OutboxModulithAutoConfiguration {
    /** One of a parent context gets the events of its children, too. */
    @Bean
    @ConditionalOnMissingBean
    OutboxExternalizer outboxExternalizer(
            EventExternalizationConfiguration configuration,
            ObjectProvider<SpringOutbox> outbox,
            ObjectProvider<Topic<?>> topics,
            ListableBeanFactory beans,
            ApplicationEventPublisher events) {
        return new OutboxExternalizer(configuration, outbox, topics, beans, events);
    }
}
