package dev.outbox.spring.modulith;

import dev.outbox.ConfigurationException;
import dev.outbox.MessageRejectedException;
import dev.outbox.OutboxException;
import dev.outbox.Topic;
import dev.outbox.spring.OutboxPublisher;
import dev.outbox.spring.SpringOutbox;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.ApplicationListener;
import org.springframework.context.PayloadApplicationEvent;
import org.springframework.context.expression.BeanFactoryResolver;
import org.springframework.core.Ordered;
import org.springframework.expression.spel.support.StandardEvaluationContext;
import org.springframework.modulith.events.EventExternalizationConfiguration;
import org.springframework.modulith.events.RoutingTarget;
import org.springframework.modulith.events.support.BrokerRouting;
import org.springframework.util.ClassUtils;

/**
 * Writes events that are to be externalized into the outbox, on the thread and in the transaction that publishes them.
 * What it throws reaches the publisher of the event, so the transaction rolls back. It comes before other listeners:
 * what they publish because of an event is written after the event.
 */
final class OutboxExternalizer implements ApplicationListener<ApplicationEvent>, Ordered, SmartInitializingSingleton {
    /** What else sends events, in the versions of Spring Modulith. */
    private static final List<String> OTHERS = List.of(
            "org.springframework.modulith.events.jobrunr.JobRunrEventExternalizer",
            "org.springframework.modulith.events.namastack.NamastackOutboxEventRecorder",
            "org.springframework.modulith.events.support.DelegatingEventExternalizer",
            "org.springframework.modulith.events.support.EventExternalizerModuleListener");

    private final EventExternalizationConfiguration configuration;
    private final ObjectProvider<SpringOutbox> outbox;
    private final ObjectProvider<Topic<?>> topics;
    private final ListableBeanFactory beans;
    private final ApplicationEventPublisher events;
    private final StandardEvaluationContext expressions = new StandardEvaluationContext();

    /** By the names of the topics. Null until all beans are there, before which no transaction is expected. */
    private volatile @Nullable Map<String, OutboxPublisher<ExternalizedEvent>> publishers;

    OutboxExternalizer(
            EventExternalizationConfiguration configuration,
            ObjectProvider<SpringOutbox> outbox,
            ObjectProvider<Topic<?>> topics,
            ListableBeanFactory beans,
            ApplicationEventPublisher events) {
        this.configuration = configuration;
        this.outbox = outbox;
        this.topics = topics;
        this.beans = beans;
        this.events = events;
        expressions.setBeanResolver(new BeanFactoryResolver(beans));
    }

    @Override
    public void afterSingletonsInstantiated() {
        requireNoOther();
        requireThatRefusalsArrive();
        publishers();
    }

    /** A publisher that does not hear of a refusal commits, and its event is in no outbox. */
    private void requireThatRefusalsArrive() {
        try {
            events.publishEvent(new Probe(this));
        } catch (RuntimeException refusal) {
            return; // it arrives, perhaps as the cause of another exception
        }
        throw new ConfigurationException(
                "An event that the outbox refuses would be lost, because the code that publishes"
                        + " it would not get the exception. Give the bean applicationEventMulticaster no ErrorHandler, and let"
                        + " it call listeners on the thread that publishes.");
    }

    private void requireNoOther() {
        for (String other : OTHERS) {
            ClassLoader loader = getClass().getClassLoader();
            if (ClassUtils.isPresent(other, loader)
                    && beans.getBeanNamesForType(ClassUtils.resolveClassName(other, loader), true, false).length > 0) {
                throw new ConfigurationException("Events would be sent twice: by outbox-spring-modulith, and by a bean"
                        + " of type " + other + ". Remove the artifact of Spring Modulith that brings it, such as"
                        + " spring-modulith-events-kafka; the publisher of the topic sends the events.");
            }
        }
    }

    private Map<String, OutboxPublisher<ExternalizedEvent>> publishers() {
        Map<String, OutboxPublisher<ExternalizedEvent>> known = publishers;
        if (known == null) {
            known = new TreeMap<>();
            for (Topic<?> topic : topics) {
                if (known.put(topic.name(), outbox.getObject().publisher(ExternalizedEvent.topic(topic))) != null) {
                    throw new ConfigurationException("Two beans are topics with the name " + topic.name()
                            + ", and events may be externalized to one. Rename a topic.");
                }
            }
            publishers = known;
        }
        return known;
    }

    @Override
    public void onApplicationEvent(ApplicationEvent event) {
        if (event instanceof Probe) {
            throw new MessageRejectedException("Only to see that this arrives.");
        }
        Object published = event instanceof PayloadApplicationEvent<?> payload ? payload.getPayload() : event;
        if (configuration.supports(published)) {
            externalize(published);
        }
    }

    private void externalize(Object event) {
        try {
            Object mapped = configuration.map(event);
            RoutingTarget target = configuration.determineTarget(event);
            BrokerRouting routing = BrokerRouting.of(target, expressions);
            String key = target.getKey() == null ? null : routing.getKey(mapped);
            ExternalizedEvent message = ExternalizedEvent.of(mapped, key, configuration.getHeadersFor(mapped));
            publisher(event, routing.getTarget(mapped)).publish(message);
        } catch (OutboxException e) {
            throw e;
        } catch (RuntimeException e) {
            // Spring's own multicaster would take some ClassCastExceptions for "not an event for this listener".
            throw new MessageRejectedException(
                    "The event of type " + event.getClass().getName() + " could not be externalized: " + e, e);
        }
    }

    private OutboxPublisher<ExternalizedEvent> publisher(Object event, String target) {
        OutboxPublisher<ExternalizedEvent> publisher = publishers().get(target);
        if (publisher == null) {
            throw new ConfigurationException("The event of type "
                    + event.getClass().getName()
                    + " is to be externalized to " + target + ", and no bean is a topic with this name. There are "
                    + new TreeSet<>(publishers().keySet()) + ". Define a bean of type Topic with the name, or name one"
                    + " of these topics in @Externalized.");
        }
        return publisher;
    }

    /** An event that is refused when the application starts, to see that the refusal arrives. */
    private static final class Probe extends ApplicationEvent {
        private static final long serialVersionUID = 1;

        Probe(OutboxExternalizer source) {
            super(source);
        }
    }

    @Override
    public boolean supportsAsyncExecution() {
        return false; // another thread has no part in the transaction
    }

    @Override
    public int getOrder() {
        return HIGHEST_PRECEDENCE;
    }
}
