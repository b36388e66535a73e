package dev.outbox.spring.boot.internal;

import dev.outbox.ConfigurationException;
import dev.outbox.Store;
import dev.outbox.spring.OutboxRelay;
import dev.outbox.spring.SpringOutbox;
import java.util.Arrays;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.annotation.AnnotatedBeanDefinition;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.type.MethodMetadata;

/**
 * Refuses an application that defines only one of the outbox and the store. The other one would be that of the primary
 * database, or there would be none and so no relay. Without a relay the store is for operators only.
 */
final class OneDatabase implements BeanFactoryPostProcessor {
    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory factory) {
        boolean outbox = isDefinedByTheApplication(factory, SpringOutbox.class);
        boolean store = isDefinedByTheApplication(factory, Store.class);
        if (outbox != store && !isDefinedByTheApplication(factory, OutboxRelay.class)) {
            throw new ConfigurationException("The application defines a bean of type "
                    + (outbox ? "SpringOutbox and none of type Store" : "Store and none of type SpringOutbox")
                    + ", so the messages and the relay may be in different databases, or there is no relay. Define both"
                    + " over the same database, or set outbox.relay.enabled=false.");
        }
    }

    private static boolean isDefinedByTheApplication(ConfigurableListableBeanFactory factory, Class<?> type) {
        return Arrays.stream(BeanFactoryUtils.beanNamesForTypeIncludingAncestors(factory, type, true, false))
                .anyMatch(name -> !isDefinedHere(factory, name));
    }

    private static boolean isDefinedHere(ConfigurableListableBeanFactory factory, String name) {
        if (!factory.containsBeanDefinition(name)
                || !(factory.getBeanDefinition(name) instanceof AnnotatedBeanDefinition definition)) {
            return false;
        }
        MethodMetadata method = definition.getFactoryMethodMetadata();
        return method != null && method.getDeclaringClassName().startsWith(OneDatabase.class.getPackageName());
    }
}
