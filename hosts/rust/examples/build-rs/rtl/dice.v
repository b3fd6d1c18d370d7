// A linear feedback shift register that throws a die in every cycle; the source of dice.il:
//   yosys -q -p 'read_verilog dice.v; hierarchy -check; write_rtlil dice.il'
module dice(input clk, output [2:0] eyes, output reg [31:0] throws);
  reg [15:0] bits = 16'hace1;
  assign eyes = bits[6:0] % 6 + 1;
  initial throws = 0;
  always @(posedge clk) begin
    bits <= {bits[14:0], bits[15] ^ bits[13] ^ bits[12] ^ bits[10]};
    throws <= throws + 1;
  end
endmodule
