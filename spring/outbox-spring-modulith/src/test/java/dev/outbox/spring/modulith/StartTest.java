package dev.outbox.spring.modulith;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.shop.ShopApplication;
import com.example.shop.order.OrderCompleted;
import dev.outbox.ConfigurationException;
import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.Topic;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.ApplicationEventMulticaster;
import org.springframework.context.event.SimpleApplicationEventMulticaster;
import org.springframework.modulith.events.EventExternalizationConfiguration;
import org.springframework.modulith.events.config.EventPublicationAutoConfiguration;
import org.springframework.modulith.events.support.DelegatingEventExternalizer;
import org.springframework.transaction.support.TransactionTemplate;

/** An application starts only if exactly one side externalizes its events. */
class StartTest {
    private static final String MODE = "spring.modulith.events.externalization.mode=";
    private static final String CREATE_SCHEMA = "outbox.store.create-schema=true";
    private static final String REGISTRY = "spring.modulith.events.jdbc.schema-initialization.enabled=true";

    @Test
    void theModeMustBeSet() {
        assertEquals(
                "spring.modulith.events.externalization.mode is not set; expected outbox, so that"
                        + " outbox-spring-modulith externalizes the events, or module-listener, so that Spring"
                        + " Modulith does it by itself.",
                refusal(List.of()));
        assertTrue(refusal(List.of(), MODE + "outbx").contains(" is outbx; expected outbox"));
    }

    @Test
    void inOtherModesItDoesNothing() {
        assertEquals(0, externalizers(MODE + "module-listener"));
        assertEquals(0, externalizers("spring.modulith.events.externalization.enabled=false"));
        assertEquals(1, externalizers(MODE + "outbox"));
        assertEquals(1, externalizers(MODE + "OUTBOX"));
    }

    @Test
    void noOtherExternalizerMayBeThere() {
        String refusal = refusal(List.of(Another.class), MODE + "outbox");
        assertTrue(
                refusal.startsWith("Events would be sent twice: by outbox-spring-modulith, and by a bean of type"
                        + " org.springframework.modulith.events.support.DelegatingEventExternalizer."),
                refusal);
    }

    @Test
    void topicsHaveDifferentNames() {
        String refusal = refusal(List.of(SameName.class), MODE + "outbox", "outbox.relay.enabled=false");
        assertTrue(refusal.startsWith("Two beans are topics with the name orders"), refusal);
    }

    @Test
    void refusalsMustArrive() {
        String refusal = refusal(
                List.of(Swallows.class),
                MODE + "outbox",
                "spring.autoconfigure.exclude=" + EventPublicationAutoConfiguration.class.getName());
        assertTrue(
                refusal.startsWith("An event that the outbox refuses would be lost")
                        && refusal.contains("Give the bean applicationEventMulticaster no ErrorHandler"),
                refusal);
    }

    @Test
    void anEventOfAChildContextIsWrittenOnce() {
        try (ConfigurableApplicationContext parent =
                        run(List.of(), MODE + "outbox", "outbox.relay.enabled=false", CREATE_SCHEMA, REGISTRY);
                ConfigurableApplicationContext child = new SpringApplicationBuilder(Child.class)
                        .parent(parent)
                        .web(WebApplicationType.NONE)
                        .properties("spring.main.banner-mode=off", "outbox.relay.enabled=false", MODE + "outbox")
                        .run()) {
            child.getBean(TransactionTemplate.class)
                    .executeWithoutResult(status -> child.publishEvent(new OrderCompleted("SO-1", "C-1")));
            List<Operations.Backlog> backlog =
                    Operations.of(parent.getBean(Store.class)).backlog();
            assertEquals(1, backlog.size());
            assertEquals(1, backlog.get(0).pending());
        }
    }

    private static int externalizers(String... properties) {
        try (ConfigurableApplicationContext context = run(List.of(), properties)) {
            return context.getBeanNamesForType(OutboxExternalizer.class).length;
        }
    }

    private static String refusal(List<Class<?>> configuration, String... properties) {
        Throwable thrown = assertThrows(
                Exception.class, () -> run(configuration, properties).close());
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof ConfigurationException) {
                return String.valueOf(cause.getMessage());
            }
        }
        throw new AssertionError(thrown);
    }

    private static ConfigurableApplicationContext run(List<Class<?>> configuration, String... properties) {
        return new SpringApplicationBuilder(ShopApplication.class)
                .sources(configuration.toArray(new Class<?>[0]))
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.datasource.url=jdbc:h2:mem:start",
                        "outbox.store.type=jdbc",
                        "spring.main.banner-mode=off",
                        "logging.level.root=off")
                .properties(properties)
                .run();
    }

    /** As an artifact of Spring Modulith for a broker has it, or an application. */
    @Configuration(proxyBeanMethods = false)
    @SuppressWarnings({"deprecation", "removal"}) // in Spring Modulith 2.1
    static class Another {
        @Bean
        DelegatingEventExternalizer another(EventExternalizationConfiguration configuration) {
            return new DelegatingEventExternalizer(
                    configuration, (target, payload) -> CompletableFuture.completedFuture(null));
        }
    }

    /** The code that publishes does not hear of exceptions. */
    @Configuration(proxyBeanMethods = false)
    static class Swallows {
        @Bean
        ApplicationEventMulticaster applicationEventMulticaster() {
            SimpleApplicationEventMulticaster multicaster = new SimpleApplicationEventMulticaster();
            multicaster.setErrorHandler(failure -> {});
            return multicaster;
        }
    }

    /** Its own auto-configuration finds what its parent has. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Child {}

    @Configuration(proxyBeanMethods = false)
    static class SameName {
        @Bean
        Topic<String> again() {
            return Topic.builder("orders", String.class).build();
        }
    }
}
