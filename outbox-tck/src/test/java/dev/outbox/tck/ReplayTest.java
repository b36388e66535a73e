package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.explore.Exploration.Finding;
import dev.outbox.tck.memory.Broken;
import dev.outbox.tck.memory.Zoo;
import dev.outbox.tck.memory.ZooHarness;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a report shows of a sequence can be pasted, compiles, and does it again. */
public final class ReplayTest {
    /** For JUnit, and public because the pasted test is in another package. */
    public ReplayTest() {}

    @Test
    void whatIsPrintedCompilesAndRepeatsIt(@TempDir Path folder) throws Exception {
        Finding finding = new Finding(
                "OBX-ORDER-1",
                "observed",
                List.of(".begin(1)", ".writeTogether(1, 1, 0, 1, 2, 0)", ".commit(1)"),
                "history");
        Class<?> pasted = compile(folder, finding.code());
        Method test = pasted.getDeclaredMethod("breaksOBXORDER1");
        test.setAccessible(true);
        Object instance = pasted.getDeclaredConstructor().newInstance();
        String said = String.valueOf(assertThrows(InvocationTargetException.class, () -> test.invoke(instance))
                .getCause());
        assertTrue(said.contains("OBX-ORDER-1 is broken at step 3: "), said);
    }

    @Test
    void everyStepCompiles(@TempDir Path folder) throws Exception {
        List<String> calls = Arrays.stream(Steps.class.getMethods())
                .filter(method -> method.getReturnType() == Steps.class && !Modifier.isStatic(method.getModifiers()))
                .map(method -> "." + method.getName()
                        + IntStream.range(0, method.getParameterCount())
                                .mapToObj(i -> method.getParameterTypes()[i] == long.class ? "12647059200000L" : "1")
                                .collect(Collectors.joining(", ", "(", ")")))
                .toList();
        assertTrue(calls.size() > 20, "steps: " + calls);
        compile(folder, new Finding("OBX-TX-1", "observed", calls, "history").code());
    }

    @Test
    void aSoundStorePasses() {
        Replay.on(new ZooHarness(Zoo.SOUND))
                .begin(1)
                .writeTogether(1, 1, 0, 3, 2, 10)
                .commit(1)
                .checkOut(1, 1, 1, 1, 4)
                .failHeads(1, 0, 2, 1, 3_600_000)
                .bury(1, 2, 1, 1)
                .close(1)
                .look(2, 1)
                .redrive(1, 1, 0, 1)
                .finish(2)
                .run();
    }

    /** The store that the pasted test is of. */
    public static StoreHarness harness() {
        Broken backwards = Zoo.ALL.stream()
                .filter(each -> each.idea().equals("writes the messages of a call backwards"))
                .findFirst()
                .orElseThrow();
        return new ZooHarness(backwards);
    }

    private static Class<?> compile(Path folder, String code) throws Exception {
        String source = "public class Pasted {\n    static dev.outbox.tck.StoreHarness harness() {\n"
                + "        return dev.outbox.tck.ReplayTest.harness();\n    }\n\n" + code + "}\n";
        Path file = Files.writeString(folder.resolve("Pasted.java"), source);
        Process javac = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "javac").toString(),
                        "-d",
                        folder.toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-proc:none",
                        file.toString())
                .redirectErrorStream(true)
                .start();
        String errors = new String(javac.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, javac.waitFor(), errors + source);
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {folder.toUri().toURL()}, ReplayTest.class.getClassLoader())) {
            Class<?> pasted = loader.loadClass("Pasted");
            assertEquals(2, pasted.getDeclaredMethods().length, "methods of what was pasted");
            return pasted;
        }
    }
}
