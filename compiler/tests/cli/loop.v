// A ring that never settles; the source of loop.il:
//   yosys -q -p 'read_verilog loop.v; hierarchy -check; write_rtlil loop.il'
module ring(input clk, input go, output reg [3:0] n, output x);
  assign x = ~(x & go);
  initial n = 0;
  always @(posedge clk) n <= n + 1;
endmodule
