package dev.outbox.spring.boot.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.test.context.TestPropertySource;

/**
 * Gives a test the outbox of the application and an {@link OutboxTester}, which shows what was published. The relay's
 * threads do not run. The publishers of topics are not called: in their place something takes every message.
 *
 * <pre>{@code
 * @SpringBootTest
 * @AutoConfigureOutbox
 * class PlaceOrderTest {
 *     @Autowired PlaceOrder shop;
 *     @Autowired Topic<OrderPlaced> orders;
 *     @Autowired OutboxTester outbox;
 *
 *     @Test
 *     void anOrderIsAnnounced() {
 *         shop.place("SO-1");
 *         assertEquals(List.of(new OrderPlaced("SO-1")), outbox.pending(orders));
 *     }
 * }
 * }</pre>
 *
 * <p>It also works on slices that have a database, such as {@code @DataJpaTest} and {@code @JdbcTest}. A slice does not
 * find the configuration of the topics, so import it.
 *
 * <p>To have the publishers of topics called, set {@code outbox.test.call-publishers=true}.
 */
@SuppressWarnings("exports") // a test that uses it has Spring
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@ImportAutoConfiguration
@TestPropertySource(properties = "outbox.relay.enabled=false")
public @interface AutoConfigureOutbox {}
