package dev.outbox.spring.modulith;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.shop.ShopApplication;
import dev.outbox.ConfigurationException;
import dev.outbox.Topic;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.modulith.events.EventExternalizationConfiguration;
import org.springframework.modulith.events.support.DelegatingEventExternalizer;

/** An application starts only if exactly one side externalizes its events. */
class StartTest {
    private static final String MODE = "spring.modulith.events.externalization.mode=";

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

    @Configuration(proxyBeanMethods = false)
    static class SameName {
        @Bean
        Topic<String> again() {
            return Topic.builder("orders", String.class).build();
        }
    }
}
