package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.outbox.Store;
import dev.outbox.micrometer.MeterDetail;
import dev.outbox.micrometer.OutboxMetrics;
import dev.outbox.processes.Await;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import org.junit.jupiter.api.Test;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Metrics are a bean: Spring Boot binds them to its registries, and the relay tells them what it does. */
class MetricsTest {
    @Test
    void theMetersAreInTheRegistry() throws Exception {
        try (ConfigurableApplicationContext application = Applications.run(WithMetrics.class)) {
            application.getBean(Applications.PlaceOrder.class).place("SO-1", false);
            MeterRegistry registry = application.getBean(MeterRegistry.class);
            Await.until("the publishing is measured", () -> {
                Timer published =
                        registry.find("outbox.publish").tag("topic", "orders").timer();
                return published != null && published.count() == 1;
            });
            assertNotNull(registry.find("outbox.snapshot.age").timeGauge(), "what waits is measured");
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class WithMetrics extends Applications.Shop {
        @Bean
        OutboxMetrics outboxMetrics(Store store) {
            return OutboxMetrics.builder()
                    .store(store)
                    .detail(MeterDetail.TOPIC)
                    .build();
        }
    }
}
