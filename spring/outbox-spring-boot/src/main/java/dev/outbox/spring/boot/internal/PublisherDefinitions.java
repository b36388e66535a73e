package dev.outbox.spring.boot.internal;

import dev.outbox.Topic;
import dev.outbox.spring.OutboxPublisher;
import dev.outbox.spring.SpringOutbox;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AutowireCandidateQualifier;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.core.ResolvableType;

/**
 * Defines an {@code OutboxPublisher<T>} for each bean of type {@code Topic<T>}. Its name is that of the topic's bean
 * with "OutboxPublisher" after it, and its qualifier is the name of the topic's bean.
 */
final class PublisherDefinitions implements BeanDefinitionRegistryPostProcessor {
    static final String SUFFIX = "OutboxPublisher";

    @Override
    public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
        if (registry instanceof ConfigurableListableBeanFactory factory) {
            for (String topic : factory.getBeanNamesForType(Topic.class, true, false)) {
                if (!registry.containsBeanDefinition(topic + SUFFIX)) {
                    registry.registerBeanDefinition(topic + SUFFIX, definition(factory, topic));
                }
            }
        }
    }

    private static RootBeanDefinition definition(ConfigurableListableBeanFactory factory, String topic) {
        ResolvableType message = factory.getMergedBeanDefinition(topic)
                .getResolvableType()
                .as(Topic.class)
                .getGeneric(0);
        RootBeanDefinition definition = new RootBeanDefinition(OutboxPublisher.class);
        definition.setTargetType(ResolvableType.forClassWithGenerics(OutboxPublisher.class, message));
        definition.addQualifier(new AutowireCandidateQualifier(Qualifier.class, topic));
        definition.setInstanceSupplier(() -> {
            Topic<?> bean = factory.getBean(topic, Topic.class);
            return factory.getBean(SpringOutbox.class).publisher(bean);
        });
        return definition;
    }

    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory factory) {
        // All is done before: what is defined here is also seen by others.
    }
}
